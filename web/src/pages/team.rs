//! Who works here: members, invitations on their way, and what happens when somebody leaves.

use leptos::prelude::*;
use subrosa_client::{Vault, Waiting};
use subrosa_model::{InvitationId, MemberId, Role};
use subrosa_protocol::api::IntroductionPurpose;

use super::approvals::ApprovalList;
use super::kit_waiting::KitUses;
use crate::app::{Task, app};
use crate::parts::{Dialog, Empty, Head, Notice, Pick, SixWords, Working};
use crate::route::Route;
use crate::text::t;
use crate::{say, time};

/// Roles as a list to pick from.
fn roles() -> Vec<(String, String)> {
    Role::ALL.iter().map(|r| (r.word().to_owned(), t(&format!("role-{r}")))).collect()
}

fn role_of(word: &str) -> Option<Role> {
    Role::ALL.iter().copied().find(|r| r.word() == word)
}

/// The page.
#[component]
pub fn Team() -> impl IntoView {
    let app = app();
    let runs = move || app.me.get().is_some_and(|me| me.runs());
    let leaving: RwSignal<Option<(MemberId, String)>> = RwSignal::new(None);
    let changing: RwSignal<Option<(MemberId, String, Role)>> = RwSignal::new(None);
    let members = move || {
        let directory = app.directory.get();
        let mut list: Vec<_> = directory.iter().flat_map(|d| d.members().iter().filter(|(_, m)| m.active).map(|(id, m)| (*id, m.name.clone(), m.role))).collect();
        list.sort_by_key(|(_, name, _)| name.to_lowercase());
        list
    };
    let alone = move || members().len() == 1;
    view! {
        <div class="page reading">
            <Head title=t("nav-team") line=t("team-line")>
                <Show when=move || runs() && !alone()><a class="button next" href=Route::Invite.href()>{t("invite")}</a></Show>
            </Head>
            <div class="stack loose">
                <KitUses />
                <Show when=move || app.me.get().is_some_and(|me| matches!(me.role, Role::Owner | Role::PrivacyOfficer))><ApprovalList /></Show>
                <Show when=runs><Arrivals /></Show>
                <ul class="list" aria-label=t("nav-team")>
                    {move || members().into_iter().map(|(id, name, role)| {
                        let me = app.me.get().is_some_and(|me| me.member == id);
                        let (for_role, for_leave) = (name.clone(), name.clone());
                        view! {
                            <li class="item">
                                <span class="grow">{name}{me.then(|| view! { " "<span class="tag">{t("you")}</span> })}</span>
                                <span class="soft">{t(&format!("role-{role}"))}</span>
                                {(runs() && !me).then(|| view! {
                                    <span class="row">
                                        <button on:click=move |_| changing.set(Some((id, for_role.clone(), role)))>{t("role-change")}</button>
                                        <button class="danger" on:click=move |_| leaving.set(Some((id, for_leave.clone())))>{t("remove")}</button>
                                    </span>
                                })}
                            </li>
                        }
                    }).collect_view()}
                </ul>
                <Show when=move || alone() && runs()>
                    <Empty title=t("team-alone-title") text=t("team-alone-text")><a class="button next" href=Route::Invite.href()>{t("invite")}</a></Empty>
                </Show>
            </div>
            <Leave leaving />
            <ChangeRole changing />
        </div>
    }
}

/// Invitations that wait for an answer, or for the six words to be compared.
#[component]
fn Arrivals() -> impl IntoView {
    let app = app();
    let task = Task::new();
    let waiting: RwSignal<Vec<Waiting>> = RwSignal::new(Vec::new());
    let load = move || {
        let quiet = Task::new();
        app.run(quiet, "invitations-loading", async |v: &mut Vault| v.invitations().await, move |all: Vec<Waiting>| {
            waiting.set(all.into_iter().filter(|w| w.purpose == IntroductionPurpose::Member).collect());
        });
    };
    load();
    let timer = set_interval_with_handle(load, core::time::Duration::from_secs(10)).ok();
    on_cleanup(move || {
        if let Some(timer) = timer {
            timer.clear();
        }
    });
    let finish = move |id: InvitationId, role: RwSignal<String>| {
        let Some(role) = role_of(&role.get_untracked()) else { return };
        app.run(task, "member-admitting", async move |v: &mut Vault| v.finish_invitation(id, role).await, move |_| {
            waiting.update(|w| w.retain(|w| w.id != id));
            app.tell(t("member-admitted"));
        });
    };
    view! {
        {move || waiting.get().into_iter().map(|w| {
            let id = w.id;
            match w.accepted {
                Some(accepted) => {
                    let role = RwSignal::new(Role::Clinician.word().to_owned());
                    view! {
                        <section class="sheet stack" aria-label=t("arrival")>
                            <h2>{say!("arrival-title", name = accepted.name.clone())}</h2>
                            <p>{say!("arrival-text", name = accepted.name.clone())}</p>
                            <SixWords words=accepted.six_words />
                            <Pick id="arrival-role" label=t("role") value=role options=roles() />
                            <button class="next" disabled=move || task.busy() on:click=move |_| finish(id, role)>{say!("arrival-confirm", name = accepted.name.clone())}</button>
                            <p class="soft small">{t("arrival-differ")}</p>
                        </section>
                    }.into_any()
                }
                None => view! { <Notice><p>{say!("invitation-open", when = time::moment(w.until))}</p></Notice> }.into_any(),
            }
        }).collect_view()}
        <Working task />
    }
}

/// What leaving means, in plain words, and the button that names the person.
#[component]
fn Leave(leaving: RwSignal<Option<(MemberId, String)>>) -> impl IntoView {
    let app = app();
    let task = Task::new();
    let open = RwSignal::new(false);
    let shown: RwSignal<Option<(MemberId, String)>> = RwSignal::new(None);
    Effect::new(move |_| {
        if let Some(who) = leaving.get() {
            shown.set(Some(who));
            leaving.set(None);
            open.set(true);
        }
    });
    let name = move || shown.get().map(|(_, name)| name).unwrap_or_default();
    let remove = move |_| {
        let Some((member, name)) = shown.get_untracked() else { return };
        app.run(task, "member-removing", async move |v: &mut Vault| v.remove_member(member).await, move |_| {
            open.set(false);
            app.tell(say!("member-removed", name = name));
        });
    };
    view! {
        <Dialog open label=t("remove-title")>
            <p>{move || say!("remove-text", name = name())}</p>
            <p class="soft">{move || say!("remove-after", name = name())}</p>
            <Working task />
            <div class="foot">
                <button on:click=move |_| open.set(false)>{move || say!("remove-keep", name = name())}</button>
                <button class="danger" disabled=move || task.busy() on:click=remove>{move || say!("remove-do", name = name())}</button>
            </div>
        </Dialog>
    }
}

#[component]
fn ChangeRole(changing: RwSignal<Option<(MemberId, String, Role)>>) -> impl IntoView {
    let app = app();
    let task = Task::new();
    let open = RwSignal::new(false);
    let role = RwSignal::new(String::new());
    let shown: RwSignal<Option<(MemberId, String)>> = RwSignal::new(None);
    Effect::new(move |_| {
        if let Some((id, name, now)) = changing.get() {
            shown.set(Some((id, name)));
            role.set(now.word().to_owned());
            changing.set(None);
            open.set(true);
        }
    });
    let change = move |_| {
        let (Some((member, _)), Some(role)) = (shown.get_untracked(), role_of(&role.get_untracked())) else { return };
        app.run(task, "role-changing", async move |v: &mut Vault| v.set_role(member, role).await, move |_| open.set(false));
    };
    view! {
        <Dialog open label=t("role-change-title")>
            <p>{move || shown.get().map(|(_, name)| say!("role-change-text", name = name))}</p>
            <Pick id="role" label=t("role") value=role options=roles() />
            <Working task />
            <div class="foot">
                <button on:click=move |_| open.set(false)>{t("cancel")}</button>
                <button class="next" disabled=move || task.busy() on:click=change>{t("role-change-do")}</button>
            </div>
        </Dialog>
    }
}
