use leptos::prelude::*;

use crate::app::{Problem, Task};
use crate::text::t;

/// A page's heading, a line under it, and what can be done.
#[component]
pub fn Head(#[prop(into)] title: String, #[prop(optional, into)] line: Option<String>, #[prop(optional)] children: Option<Children>) -> impl IntoView {
    crate::dom::set_title(&crate::say!("tab-title", page = title.clone()));
    view! {
        <header class="head">
            <div>
                <h1 tabindex="-1">{title}</h1>
                {line.map(|line| view! { <p class="soft">{line}</p> })}
            </div>
            {children.map(|children| view! { <div class="doing">{children()}</div> })}
        </header>
    }
}

/// Something worth knowing: plain, amber or red.
#[component]
pub fn Notice(#[prop(optional)] kind: &'static str, #[prop(optional, into)] title: Option<String>, children: Children) -> impl IntoView {
    view! {
        <div class=format!("notice {kind}")>
            {title.map(|title| view! { <h3>{title}</h3> })}
            {children()}
        </div>
    }
}

/// What went wrong with a task, where it was started.
#[component]
pub fn ProblemNote(problem: RwSignal<Option<Problem>>) -> impl IntoView {
    move || {
        problem.get().map(|problem| {
            view! {
                <div class="notice red" role="alert">
                    <p>{problem.text}</p>
                    <details>
                        <summary>{t("details")}</summary>
                        <p class="mono">{problem.code}</p>
                    </details>
                </div>
            }
        })
    }
}

/// What a task is doing and what went wrong with it.
#[component]
pub fn Working(task: Task) -> impl IntoView {
    view! {
        <div aria-live="polite">{move || task.doing.get().map(|words| view! { <p class="working" role="status">{words}</p> })}</div>
        <ProblemNote problem=task.problem />
    }
}

/// An empty list says so, and what to do.
#[component]
pub fn Empty(#[prop(into)] title: String, #[prop(into)] text: String, #[prop(optional)] children: Option<Children>) -> impl IntoView {
    view! {
        <section class="empty">
            <h2>{title}</h2>
            <p>{text}</p>
            {children.map(|children| children())}
        </section>
    }
}
