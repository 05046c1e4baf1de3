use leptos::prelude::*;

/// A line drawing, 24 units square, in the colour of the text. Always beside a word, so hidden from screen readers.
#[component]
pub fn Icon(name: &'static str) -> impl IntoView {
    let path = match name {
        "patients" => "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.500 20c0-3.600 2.900-6 6.500-6s6.500 2.400 6.500 6M16 4.300a3.500 3.500 0 0 1 0 6.400M18 14.400c2.200.9 3.500 2.900 3.500 5.600",
        "team" => "M12 10.500a3.250 3.250 0 1 0 0-6.500 3.250 3.250 0 0 0 0 6.500ZM6 20v-1c0-3 2.600-5 6-5s6 2 6 5v1M4.500 12.500a2.250 2.250 0 1 1 1.200-4.200M19.500 12.500a2.250 2.250 0 1 0-1.200-4.200",
        "devices" => "M3 16V6.500A1.500 1.500 0 0 1 4.500 5h12A1.500 1.500 0 0 1 18 6.500V8M2 19h10M16 11h4.500a1 1 0 0 1 1 1v7a1 1 0 0 1-1 1H16a1 1 0 0 1-1-1v-7a1 1 0 0 1 1-1Z",
        "backup" => "M4 7c0-1.700 3.600-3 8-3s8 1.300 8 3-3.600 3-8 3-8-1.300-8-3ZM4 7v10c0 1.700 3.600 3 8 3s8-1.300 8-3V7M4 12c0 1.700 3.600 3 8 3s8-1.300 8-3",
        "safety" => "M4.500 12.500 10 18 20 6.500",
        "settings" => "M4 7h9M17 7h3M4 17h3M11 17h9M15 9a2 2 0 1 0 0-4 2 2 0 0 0 0 4ZM9 19a2 2 0 1 0 0-4 2 2 0 0 0 0 4Z",
        "search" => "M10.500 17a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13ZM15.500 15.500 20 20",
        _ => "",
    };
    view! {
        <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
            <path d=path></path>
        </svg>
    }
}

/// The name of the product with its drawing.
#[component]
pub fn Mark() -> impl IntoView {
    let path = "M8.71 7.87A3.9 3.9 0 1 1 15.29 7.87A3.9 3.9 0 1 1 17.33 14.13A3.9 3.9 0 1 1 12.00 18.00A3.9 3.9 0 1 1 6.67 14.13A3.9 3.9 0 1 1 8.71 7.87ZM12 9.6a2.8 2.8 0 1 1-2.8 2.8c0-1.2.9-2 1.900-2";
    view! {
        <span class="mark">
            <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
                <path d=path></path>
            </svg>
            {crate::text::t("product")}
        </span>
    }
}
