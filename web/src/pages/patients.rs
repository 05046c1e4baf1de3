//! Everyone whom the signed-in member may list: search as you type, over rows that were opened in this browser.

use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use subrosa_client::Vault;
use subrosa_model::ChartId;

use super::kit_waiting::KitUses;
use crate::app::app;
use crate::parts::{Empty, Icon, Notice};
use crate::route::Route;
use crate::text::t;
use crate::{dom, say, time};

/// Height of a line, in pixels; the style sheet says the same.
const ROW: f64 = 40.0;
/// Most lines shown for a search; whoever looks for one person types on.
const MOST: usize = 200;
/// Lines drawn above and below what is seen.
const SPARE: usize = 8;

/// What one line shows.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    chart: ChartId,
    name: String,
    born: String,
    more: String,
}

/// The page.
#[component]
pub fn Patients() -> impl IntoView {
    let app = app();
    let query = RwSignal::new(String::new());
    let lines: RwSignal<Vec<Line>> = RwSignal::new(Vec::new());
    let total = RwSignal::new(0_usize);
    let picked = RwSignal::new(0_usize);
    let asked = StoredValue::new(0_u32);
    Effect::new(move |_| {
        let text = query.get();
        app.roster_version.track();
        let mine = asked.try_update_value(|n| { *n += 1; *n }).unwrap_or_default();
        spawn_local(async move {
            let found = app
                .with(&async |v: &mut Vault| {
                    let found = v.search(&text, if text.trim().is_empty() { usize::MAX } else { MOST }).into_iter().map(|f| Line {
                        chart: f.chart,
                        name: format!("{}, {}", f.row.family, f.row.given),
                        born: f.row.birth_date.clone(),
                        more: f.row.more.first().cloned().unwrap_or_default(),
                    });
                    Ok((found.collect::<Vec<_>>(), v.roster().len()))
                })
                .await;
            // A later key was pressed meanwhile: its answer counts.
            if let Ok((found, all)) = found
                && asked.try_get_value() == Some(mine)
            {
                picked.set(0);
                total.set(all);
                lines.set(found);
            }
        });
    });
    let waiting = move || !app.roster_ready.get() && total.get() == 0;
    let one_way = move || app.me.get().is_some_and(|me| me.one_way_in());
    let on_key = move |event: KeyboardEvent| {
        let last = lines.with_untracked(Vec::len).saturating_sub(1);
        match event.key().as_str() {
            "ArrowDown" => picked.update(|n| *n = (*n + 1).min(last)),
            "ArrowUp" => picked.update(|n| *n = n.saturating_sub(1)),
            "Enter" => {
                if let Some(chart) = lines.with_untracked(|l| l.get(picked.get_untracked()).map(|l| l.chart)) {
                    Route::Chart(chart).go();
                }
            }
            "Escape" => {
                query.set(String::new());
                dom::focus("main h1");
            }
            _ => return,
        }
        event.prevent_default();
    };
    let line = move || if waiting() { t("patients-opening") } else { say!("patients-count", n = total.get()) };
    view! {
        <div class="page">
            <header class="head">
                <div>
                    <h1 tabindex="-1">{t("nav-patients")}</h1>
                    <p class="soft" role="status">{line}</p>
                </div>
                <div class="doing">
                    <a class="button" href=Route::Import.href()>{t("import")}</a>
                    <Show when=move || total.get() != 0><a class="button next" href=Route::NewPatient.href()>{t("new-patient")}</a></Show>
                </div>
            </header>
            <KitUses />
            <Show when=one_way>
                <div class="stack" style:margin-bottom="1.5rem">
                    <Notice kind="amber" title=t("one-way-title")>
                        <p>{t("one-way-text")}</p>
                        <div class="row"><a class="button" href=Route::SecondWay.href()>{t("second-title")}</a></div>
                    </Notice>
                </div>
            </Show>
            <Show when=waiting><p class="working" role="status">{t("patients-opening-words")}</p></Show>
            <Show when=move || !waiting() && total.get() == 0>
                <Empty title=t("patients-empty-title") text=t("patients-empty-text")>
                    <a class="button next" href=Route::NewPatient.href()>{t("new-patient")}</a>
                </Empty>
            </Show>
            <Show when=move || total.get() != 0>
                <div class="find" role="search">
                    <Icon name="search" />
                    <input id="search" type="search" aria-label=t("search-label") placeholder=t("search-placeholder") autocomplete="off" spellcheck="false"
                        aria-controls="roster" prop:value=move || query.get() on:input=move |e| query.set(dom::value_of(&e)) on:keydown=on_key />
                    <kbd aria-hidden="true">{"/"}</kbd>
                </div>
                <Show when=move || lines.with(Vec::is_empty)>
                    <Empty title=t("search-none-title") text=t("search-none-text")>
                        <button on:click=move |_| { query.set(String::new()); dom::focus("#search"); }>{t("search-clear")}</button>
                    </Empty>
                </Show>
                <Roster lines picked />
                <Show when=move || !query.with(String::is_empty) && lines.with(Vec::len) == MOST><p class="soft small">{say!("search-many", n = MOST)}</p></Show>
            </Show>
        </div>
    }
}

/// Draws only the lines that are seen, so that tens of thousands cost no more than fifty.
#[component]
fn Roster(lines: RwSignal<Vec<Line>>, picked: RwSignal<usize>) -> impl IntoView {
    let node = NodeRef::<html::Div>::new();
    let top = RwSignal::new(0.0_f64);
    let high = RwSignal::new(800.0_f64);
    Effect::new(move |_| {
        let at = picked.get() as f64 * ROW;
        if let Some(list) = node.get() {
            let (seen, tall) = (f64::from(list.scroll_top()), f64::from(list.client_height()));
            if tall > 0.0 {
                high.set(tall);
                if at < seen {
                    list.set_scroll_top(at as i32);
                } else if at + ROW > seen + tall {
                    list.set_scroll_top((at + ROW - tall) as i32);
                }
            }
        }
    });
    let shown = Memo::new(move |_| {
        let first = ((top.get() / ROW) as usize).saturating_sub(SPARE);
        let count = (high.get() / ROW) as usize + 2 * SPARE + 1;
        lines.with(|all| all.iter().enumerate().skip(first).take(count).map(|(n, line)| (n, line.clone())).collect::<Vec<_>>())
    });
    let all_high = move || format!("{}px", lines.with(Vec::len) as f64 * ROW);
    view! {
        <div class="roster" id="roster" role="list" aria-label=t("nav-patients") node_ref=node hidden=move || lines.with(Vec::is_empty)
            on:scroll=move |_| if let Some(list) = node.get_untracked() {
                top.set(f64::from(list.scroll_top()));
                high.set(f64::from(list.client_height()));
            }>
            <div class="inner" role="presentation" style:height=all_high>
                <For each=move || shown.get() key=|(n, line)| (*n, line.chart) let((n, line))>
                    <a role="listitem" href=Route::Chart(line.chart).href() class:picked=move || picked.get() == n style:top=format!("{}px", n as f64 * ROW)>
                        <span>{line.name.clone()}</span>
                        <span>{time::day_of_iso(&line.born)}</span>
                        <span class="more">{line.more.clone()}</span>
                    </a>
                </For>
            </div>
        </div>
    }
}

