//! Naming the columns of a patient list, with a guess to begin with.

use leptos::prelude::*;
use subrosa_records::roster::{self, DateGuess, DateOrder, Field, Mapping, Sheet};
use subrosa_records::{ImportBatch, Limits, Options};

use crate::app::{Problem, Task};
use crate::dom;
use crate::parts::{Notice, ProblemNote};
use crate::text::t;

fn orders() -> [(DateOrder, &'static str); 3] {
    [(DateOrder::DayMonthYear, "order-dmy"), (DateOrder::MonthDayYear, "order-mdy"), (DateOrder::YearMonthDay, "order-ymd")]
}

/// The table of columns.
#[component]
pub fn MapColumns(sheet: StoredValue<Sheet>, mapped: Callback<ImportBatch>) -> impl IntoView {
    let task = Task::new();
    let guess = sheet.with_value(roster::suggest);
    let ambiguous = matches!(guess.dates, DateGuess::Ambiguous);
    let columns = RwSignal::new(guess.mapping.columns.clone());
    let order: RwSignal<Option<DateOrder>> = RwSignal::new(match guess.dates {
        DateGuess::Clear(order) => Some(order),
        _ => guess.mapping.dates,
    });
    let go = move |_| {
        let mapping = Mapping { columns: columns.get_untracked(), dates: order.get_untracked() };
        let options = Options { limits: Limits::browser(), ..Options::default() };
        match sheet.with_value(|s| roster::read_roster(s, &mapping, &options)) {
            Ok(batch) => mapped.run(batch),
            Err(error) => task.fail(Problem { code: error.code().to_owned(), text: error.to_string(), attack: false }),
        }
    };
    let headers = sheet.with_value(|s| s.headers.clone());
    let samples: Vec<String> = sheet.with_value(|s| {
        let rows = s.sample(3);
        (0..s.headers.len()).map(|n| rows.iter().filter_map(|r| r.get(n)).filter(|c| !c.is_empty()).cloned().collect::<Vec<_>>().join(" · ")).collect()
    });
    view! {
        <div class="stack">
            <h2>{t("map-title")}</h2>
            <p class="soft">{t("map-text")}</p>
            <div class="tablewrap sheet">
                <table>
                    <thead><tr><th scope="col">{t("map-column")}</th><th scope="col">{t("map-sample")}</th><th scope="col">{t("map-means")}</th></tr></thead>
                    <tbody>
                        {headers.into_iter().zip(samples).enumerate().map(|(n, (header, sample))| {
                            let chosen = columns.with_untracked(|c| c.get(n).copied().flatten());
                            view! {
                                <tr>
                                    <td>{header.clone()}</td>
                                    <td class="soft">{sample}</td>
                                    <td>
                                        <select aria-label=header on:change=move |e| {
                                            let word = dom::value_of(&e);
                                            let field = Field::ALL.iter().copied().find(|f| f.word() == word);
                                            columns.update(|c| if let Some(slot) = c.get_mut(n) { *slot = field; });
                                        }>
                                            <option value=String::new() selected=chosen.is_none()>{t("map-nothing")}</option>
                                            {Field::ALL.iter().map(|f| view! {
                                                <option value=f.word() selected=chosen == Some(*f)>{t(&format!("field-{}", f.word()))}</option>
                                            }).collect_view()}
                                        </select>
                                    </td>
                                </tr>
                            }
                        }).collect_view()}
                    </tbody>
                </table>
            </div>
            {ambiguous.then(|| view! {
                <Notice kind="amber" title=t("map-dates")>
                    <div class="tabs" role="group" aria-label=t("map-dates")>
                        {orders().into_iter().map(|(o, key)| view! {
                            <button aria-pressed=move || (order.get() == Some(o)).to_string() on:click=move |_| order.set(Some(o))>{t(key)}</button>
                        }).collect_view()}
                    </div>
                </Notice>
            })}
            <ProblemNote problem=task.problem />
            <button class="next" on:click=go>{t("go-on")}</button>
        </div>
    }
}
