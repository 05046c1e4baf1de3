use subrosa_model::Compartment;

/// Where a resource of this type goes: `Patient` to identity; what the front desk and billing work with to admin; everything else to the record.
pub fn compartment_of(resource_type: &str) -> Compartment {
    match resource_type {
        "Patient" => Compartment::Identity,
        "Coverage" | "Claim" | "ExplanationOfBenefit" | "Appointment" => Compartment::Admin,
        _ => Compartment::Record,
    }
}

/// Whether resources of this type are about the practice or the world and name no patient.
pub(crate) fn is_practice_wide(resource_type: &str) -> bool {
    matches!(
        resource_type,
        "Organization"
            | "Practitioner"
            | "PractitionerRole"
            | "Location"
            | "HealthcareService"
            | "Endpoint"
            | "OrganizationAffiliation"
            | "Medication"
            | "MedicationKnowledge"
            | "Substance"
            | "SubstanceSpecification"
            | "Device"
            | "DeviceDefinition"
            | "InsurancePlan"
            | "Questionnaire"
            | "PlanDefinition"
            | "ActivityDefinition"
            | "Library"
            | "Measure"
            | "ValueSet"
            | "CodeSystem"
            | "ConceptMap"
            | "NamingSystem"
            | "StructureDefinition"
            | "StructureMap"
            | "SearchParameter"
            | "OperationDefinition"
            | "CapabilityStatement"
            | "CompartmentDefinition"
            | "ImplementationGuide"
            | "GraphDefinition"
            | "ExampleScenario"
            | "MessageDefinition"
            | "ResearchStudy"
            | "ResearchDefinition"
            | "Group"
            | "Schedule"
            | "Slot"
            | "Subscription"
            | "OperationOutcome"
            | "Parameters"
            | "TestScript"
            | "TestReport"
    )
}

/// A type name is a word of letters that begins with a capital; anything else is not echoed or stored as one.
pub(crate) fn is_type_name(name: &str) -> bool {
    (2..=64).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.bytes().all(|b| b.is_ascii_alphabetic())
}

/// The word a clinician would use for a type.
pub(crate) fn plain_word(resource_type: &str) -> String {
    let known = match resource_type {
        "Condition" => "Diagnosis",
        "MedicationRequest" => "Prescription",
        "MedicationStatement" => "Medication",
        "MedicationAdministration" => "Medication given",
        "MedicationDispense" => "Medication dispensed",
        "Observation" => "Measurement",
        "DocumentReference" => "Note",
        "DiagnosticReport" => "Report",
        "Encounter" => "Visit",
        "CarePlan" => "Care plan",
        "CareTeam" => "Care team",
        "AllergyIntolerance" => "Allergy",
        "Immunization" => "Immunization",
        "ExplanationOfBenefit" => "Insurer's statement",
        "Coverage" => "Insurance",
        "QuestionnaireResponse" => "Questionnaire",
        "ServiceRequest" => "Referral or order",
        "FamilyMemberHistory" => "Family history",
        "RelatedPerson" => "Related person",
        "EpisodeOfCare" => "Episode of care",
        "RiskAssessment" => "Risk assessment",
        "Communication" => "Message",
        "Composition" => "Document",
        "ClinicalImpression" => "Assessment",
        other => return split_camel(other),
    };
    known.to_owned()
}

fn split_camel(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 4);
    for (i, c) in name.chars().enumerate() {
        if i > 0 && c.is_ascii_uppercase() {
            words.push(' ');
        }
        words.push(if i > 0 { c.to_ascii_lowercase() } else { c });
    }
    words
}
