//! Bringing records in: files are read, sealed and signed in this browser; the server sees ciphertext only.

use js_sys::Uint8Array;
use leptos::ev::DragEvent;
use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use subrosa_client::{ImportOptions, ImportProgress, ImportReport, ImportState, Vault};
use subrosa_records::roster::{self, Sheet};
use subrosa_records::{Format, ImportBatch, Importer, Limits, Options, detect};
use wasm_bindgen_futures::JsFuture;
use web_sys::FileList;

use super::import_map::MapColumns;
use crate::app::{App, Problem, Task, app};
use crate::parts::{Head, Notice, ProblemNote, Working};
use crate::passkey::Passkeys;
use crate::route::Route;
use crate::storage::{self, Place};
use crate::text::t;
use crate::{dom, say};

/// What could not be taken, and why: place, code, reason.
type Refusal = (String, String, String);

/// Where an import stands.
#[derive(Clone)]
enum Stage {
    /// Waiting for files.
    Choose,
    /// A table whose columns have to be named first.
    Map(StoredValue<Sheet>),
    /// Read; shown before anything is written.
    Ready,
    /// Being sealed and sent.
    Running,
    /// Done.
    Done(Box<Report>),
}

#[derive(Clone, Default)]
struct Report {
    charts_made: usize,
    charts_known: usize,
    entries: usize,
    refused: Vec<Refusal>,
}

fn options() -> Options {
    Options { limits: Limits::browser(), ..Options::default() }
}

async fn bytes_of(file: &web_sys::File) -> Option<Vec<u8>> {
    let buffer = JsFuture::from(file.array_buffer()).await.ok()?;
    Some(Uint8Array::new(&buffer).to_vec())
}

#[derive(Clone, Copy)]
struct Work {
    app: App,
    task: Task,
    stage: RwSignal<Stage>,
    batch: StoredValue<ImportBatch>,
    refused: RwSignal<Vec<Refusal>>,
    progress: RwSignal<(usize, usize)>,
}

impl Work {
    fn take(self, files: &FileList) {
        let files: Vec<web_sys::File> = (0..files.length()).filter_map(|n| files.get(n)).collect();
        if files.is_empty() || !self.task.begin(say!("import-reading", n = files.len())) {
            return;
        }
        spawn_local(async move {
            let mut importer = Importer::new(options());
            let mut sheet = None;
            let count = files.len();
            for (n, file) in files.iter().enumerate() {
                self.task.doing.set(Some(say!("import-reading-one", n = n + 1, of = count, name = file.name())));
                dom::breathe().await;
                let Some(bytes) = bytes_of(file).await else {
                    self.refuse(file.name(), "unreadable", t("import-unreadable"));
                    continue;
                };
                let head = bytes.get(..65_536).unwrap_or(&bytes);
                if detect(&file.name(), head) == Format::Roster {
                    match roster::open(&bytes, &Limits::browser()) {
                        Ok(opened) => sheet = Some(opened),
                        Err(error) => self.refuse(file.name(), error.code(), error.to_string()),
                    }
                } else if let Err(error) = importer.add(&file.name(), &bytes) {
                    self.refuse(file.name(), error.code(), error.to_string());
                }
            }
            self.batch.set_value(importer.finish());
            self.task.done();
            match sheet {
                Some(sheet) => self.stage.set(Stage::Map(StoredValue::new(sheet))),
                None => self.ready(),
            }
        });
    }

    fn refuse(self, at: String, code: &str, reason: String) {
        self.refused.update(|r| r.push((at, code.to_owned(), reason)));
    }

    fn ready(self) {
        let empty = self.batch.with_value(|b| b.patients.is_empty() && b.items.is_empty());
        if empty {
            self.task.fail(Problem::of("import-nothing"));
            self.stage.set(Stage::Choose);
        } else {
            self.stage.set(Stage::Ready);
        }
    }

    fn run(self) {
        if !self.task.begin(t("import-sealing")) {
            return;
        }
        self.stage.set(Stage::Running);
        dom::warn_before_leaving(true);
        spawn_local(async move {
            let batch = self.batch.try_update_value(core::mem::take).unwrap_or_default();
            let kept = storage::load(Place::Import).await.unwrap_or_default();
            let begun = self.app.with(&async |v: &mut Vault| v.open_import(&kept)).await;
            let state = futures::lock::Mutex::new(begun.unwrap_or_else(|_| ImportState::default()));
            let done = self
                .app
                .with(&async |v: &mut Vault| {
                    let mut state = state.lock().await;
                    let show = |p: &ImportProgress| self.progress.set((p.entries_done, p.entries));
                    v.import(&batch, &mut state, &ImportOptions::default(), Some(&Passkeys), show).await
                })
                .await;
            if let Ok(sealed) = self.app.with(&async |v: &mut Vault| Ok(v.seal_import(&*state.lock().await))).await {
                storage::save(Place::Import, &sealed).await;
            }
            dom::warn_before_leaving(false);
            match done {
                Ok(report) => {
                    self.task.done();
                    self.finish(&report);
                }
                Err(problem) => {
                    // What was sent stays; the same files again go on from there.
                    self.batch.set_value(batch);
                    self.stage.set(Stage::Ready);
                    self.task.fail(problem);
                }
            }
        });
    }

    fn finish(self, report: &ImportReport) {
        let mut refused = self.refused.get_untracked();
        refused.extend(report.skipped.iter().map(|s| (s.at.clone(), s.code.to_owned(), s.reason.clone())));
        let shown = Report { charts_made: report.charts_made, charts_known: report.charts_known, entries: report.entries, refused };
        self.stage.set(Stage::Done(Box::new(shown)));
        self.app.catch_up();
        self.app.roster_version.update(|n| *n += 1);
    }
}

/// The page.
#[component]
pub fn Import() -> impl IntoView {
    let app = app();
    let work = Work {
        app,
        task: Task::new(),
        stage: RwSignal::new(Stage::Choose),
        batch: StoredValue::new(ImportBatch::default()),
        refused: RwSignal::new(Vec::new()),
        progress: RwSignal::new((0, 0)),
    };
    let mapped = Callback::new(move |batch: ImportBatch| {
        work.batch.update_value(|b| {
            b.append(batch);
            b.resolve();
            b.settle();
        });
        work.ready();
    });
    view! {
        <div class="page reading">
            <Head title=t("import") line=t("import-line") />
            {move || match work.stage.get() {
                Stage::Choose => view! { <Chooser work /> }.into_any(),
                Stage::Map(sheet) => view! { <MapColumns sheet mapped /> }.into_any(),
                Stage::Ready => view! { <Ready work /> }.into_any(),
                Stage::Running => view! { <Running work /> }.into_any(),
                Stage::Done(report) => view! { <Done report=*report work /> }.into_any(),
            }}
        </div>
    }
}

#[component]
fn Chooser(work: Work) -> impl IntoView {
    let over = RwSignal::new(false);
    let input = NodeRef::<html::Input>::new();
    let dropped = move |event: DragEvent| {
        event.prevent_default();
        over.set(false);
        if let Some(files) = event.data_transfer().and_then(|d| d.files()) {
            work.take(&files);
        }
    };
    view! {
        <div class="stack">
            <div class="drop" class:over=move || over.get()
                on:dragover=move |e: DragEvent| { e.prevent_default(); over.set(true); }
                on:dragleave=move |_| over.set(false) on:drop=dropped>
                <h2>{t("import-drop")}</h2>
                <p class="soft">{t("import-formats")}</p>
                <label class="button next" for="files">{t("import-choose")}</label>
                <input id="files" class="hidden-words" type="file" multiple=true node_ref=input aria-label=t("import-choose")
                    on:change=move |_| if let Some(files) = input.get_untracked().and_then(|i| i.files()) { work.take(&files); } />
            </div>
            <Working task=work.task />
            <Refusals list=work.refused.into() />
            <p class="soft small">{t("import-private")}</p>
        </div>
    }
}

#[component]
fn Ready(work: Work) -> impl IntoView {
    let (patients, items, skipped) = work.batch.with_value(|b| (b.patients.len(), b.items.len() + b.unowned.len(), b.skipped.len()));
    let lost = skipped + work.refused.with_untracked(Vec::len);
    view! {
        <div class="stack">
            <Notice title=say!("import-found", patients = patients, items = items)>
                <p>{t("import-found-text")}</p>
                {(lost != 0).then(|| view! { <p>{say!("import-lost", n = lost)}</p> })}
            </Notice>
            <ProblemNote problem=work.task.problem />
            <div class="row">
                <button class="next" on:click=move |_| work.run()>{say!("import-do", n = patients)}</button>
                <button on:click=move |_| { work.refused.set(Vec::new()); work.stage.set(Stage::Choose); }>{t("cancel")}</button>
            </div>
        </div>
    }
}

#[component]
fn Running(work: Work) -> impl IntoView {
    let words = move || {
        let (done, total) = work.progress.get();
        if total == 0 { t("import-sealing") } else { say!("import-progress", done = done, total = total) }
    };
    view! {
        <div class="stack">
            <p class="working" role="status">{words}</p>
            <progress aria-label=t("import") max=move || work.progress.get().1.max(1).to_string() value=move || work.progress.get().0.to_string()></progress>
            <p class="soft small">{t("import-stay")}</p>
        </div>
    }
}

#[component]
fn Done(report: Report, work: Work) -> impl IntoView {
    let refused = RwSignal::new(report.refused);
    view! {
        <div class="stack loose">
            <Notice title=t("import-done")>
                <p>{say!("import-done-text", made = report.charts_made, known = report.charts_known, entries = report.entries)}</p>
            </Notice>
            <Refusals list=refused.into() />
            <div class="row">
                <a class="button next" href=Route::Patients.href()>{t("import-to-patients")}</a>
                <button on:click=move |_| { work.refused.set(Vec::new()); work.stage.set(Stage::Choose); }>{t("import-more")}</button>
            </div>
        </div>
    }
}

/// What was not taken, grouped by its reason.
#[component]
fn Refusals(list: Signal<Vec<Refusal>>) -> impl IntoView {
    let grouped = move || {
        let mut groups: Vec<(String, usize, Vec<String>)> = Vec::new();
        for (at, _, reason) in list.get() {
            match groups.iter_mut().find(|(r, ..)| *r == reason) {
                Some((_, n, places)) => {
                    *n += 1;
                    if places.len() < 5 {
                        places.push(at);
                    }
                }
                None => groups.push((reason, 1, vec![at])),
            }
        }
        groups
    };
    view! {
        <Show when=move || !list.with(Vec::is_empty)>
            <section class="stack tight">
                <h2>{t("import-refused")}</h2>
                <ul class="list">
                    {move || grouped().into_iter().map(|(reason, n, places)| view! {
                        <li class="item"><span class="grow">{reason}</span><span class="soft">{say!("import-refused-places", n = n, places = places.join(", "))}</span></li>
                    }).collect_view()}
                </ul>
            </section>
        </Show>
    }
}
