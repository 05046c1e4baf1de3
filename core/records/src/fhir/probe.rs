use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

macro_rules! probe {
    ($($field:ident $(= $name:literal)?),+ $(,)?) => {
        /// The top-level fields of a resource that say whose it is, when it was and what to call it; each as unparsed JSON, so that one of an unexpected shape does no harm.
        #[derive(Deserialize, Default)]
        #[serde(default)]
        pub(crate) struct Probe<'a> {
            $(#[serde(borrow $(, rename = $name)?)] pub $field: Option<&'a RawValue>,)+
        }
    };
}

probe! {
    resource_type = "resourceType", id,
    // whose
    subject, patient, beneficiary, individual, for_ = "for", candidate, participant,
    // anyone, perhaps the patient
    source, actor, sender, recipient, link, entity,
    // by way of what
    encounter, context, target, focus, request, response, claim, part_of = "partOf", based_on = "basedOn", appointment, account, report = "derivedFrom",
    // when
    effective_date_time = "effectiveDateTime", effective_period = "effectivePeriod", effective_instant = "effectiveInstant",
    performed_date_time = "performedDateTime", performed_period = "performedPeriod",
    occurrence_date_time = "occurrenceDateTime", occurrence_period = "occurrencePeriod",
    onset_date_time = "onsetDateTime", onset_period = "onsetPeriod", recorded_date = "recordedDate", authored_on = "authoredOn", authored,
    period, date, created, issued, start, started, start_date = "startDate", billable_period = "billablePeriod", sent, recorded, when_handed_over = "whenHandedOver",
    date_time = "dateTime", manufacture_date = "manufactureDate",
    // what
    code, type_ = "type", vaccine_code = "vaccineCode", medication_concept = "medicationCodeableConcept", medication_reference = "medicationReference",
    description, category, title, name, class, service_type = "serviceType", scope, questionnaire, device_name = "deviceName",
    appointment_type = "appointmentType", reason_code = "reasonCode", procedure_code = "procedureCode", topic,
    value_quantity = "valueQuantity", value_integer = "valueInteger", value_string = "valueString", value_concept = "valueCodeableConcept", value_boolean = "valueBoolean",
    contained,
}

impl<'a> Probe<'a> {
    /// Reads the fields; an error means that the text is no JSON object or names a field twice.
    pub(crate) fn of(json: &'a str) -> Option<Self> {
        // A list would be taken for the fields in order.
        if !json.trim_start().starts_with('{') {
            return None;
        }
        serde_json::from_str(json).ok()
    }

    /// When the thing happened, as the source writes it.
    pub(crate) fn occurred(&self) -> Option<String> {
        let moments = [
            self.effective_date_time,
            self.effective_instant,
            self.performed_date_time,
            self.occurrence_date_time,
            self.onset_date_time,
            self.start,
            self.started,
            self.authored_on,
            self.authored,
            self.recorded_date,
            self.sent,
            self.when_handed_over,
            self.date,
            self.date_time,
        ];
        let periods = [
            self.effective_period,
            self.performed_period,
            self.occurrence_period,
            self.onset_period,
            self.period,
            self.billable_period,
        ];
        let late = [
            self.start_date,
            self.created,
            self.issued,
            self.recorded,
            self.manufacture_date,
        ];
        moments
            .into_iter()
            .find_map(|raw| date_like(raw?))
            .or_else(|| periods.into_iter().find_map(|raw| period_start(raw?)))
            .or_else(|| late.into_iter().find_map(|raw| date_like(raw?)))
    }
}

/// A JSON string, borrowed where it has no escapes.
pub(crate) fn text<'a>(raw: &'a RawValue) -> Option<Cow<'a, str>> {
    let json = raw.get();
    if !json.starts_with('"') {
        return None;
    }
    if !json.contains('\\') {
        return json.get(1..json.len().saturating_sub(1)).map(Cow::Borrowed);
    }
    serde_json::from_str::<String>(json).ok().map(Cow::Owned)
}

fn date_like(raw: &RawValue) -> Option<String> {
    let value = text(raw)?;
    let bytes = value.as_bytes();
    let plausible = (4..=40).contains(&bytes.len())
        && bytes.iter().take(4).all(u8::is_ascii_digit)
        && bytes
            .iter()
            .all(|b| b.is_ascii_digit() || b"-:.+TZ".contains(b));
    plausible.then(|| value.into_owned())
}

fn period_start(raw: &RawValue) -> Option<String> {
    #[derive(Deserialize)]
    struct Period<'a> {
        #[serde(borrow)]
        start: Option<&'a RawValue>,
        #[serde(borrow)]
        end: Option<&'a RawValue>,
    }
    if !raw.get().starts_with('{') {
        return None;
    }
    let period: Period = serde_json::from_str(raw.get()).ok()?;
    period
        .start
        .and_then(date_like)
        .or_else(|| period.end.and_then(date_like))
}
