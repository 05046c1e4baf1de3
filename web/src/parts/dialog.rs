use leptos::html;
use leptos::prelude::*;

/// A modal dialog. Esc closes it, and the browser gives the focus back to where it was.
#[component]
pub fn Dialog(open: RwSignal<bool>, #[prop(into)] label: String, children: ChildrenFn) -> impl IntoView {
    let node = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        let wanted = open.get();
        if let Some(dialog) = node.get() {
            if wanted && !dialog.open() {
                let _ = dialog.show_modal();
            } else if !wanted && dialog.open() {
                dialog.close();
            }
        }
    });
    let heading = label.clone();
    view! {
        <dialog node_ref=node aria-label=label on:close=move |_| open.set(false)>
            <Show when=move || open.get()>
                <div class="stack">
                    <h2>{heading.clone()}</h2>
                    {children()}
                </div>
            </Show>
        </dialog>
    }
}
