//! Sample records (FHIR R4) with marks written into them, as an import meets them.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use subrosa_records::{ImportBatch, Importer, Options};

use crate::drill::DrillError;
use crate::secrets::Secrets;

/// Reads up to `most` patients' bundles under `corpora/fhir-synthea-r4`, marks every name, contact and narrative in them, and reads them as an import would.
///
/// # Errors
/// When a sample cannot be read.
pub fn marked(corpora: &Path, most: usize, secrets: &Secrets) -> Result<Vec<ImportBatch>, DrillError> {
    let folder = corpora.join("fhir-synthea-r4");
    let mut files: Vec<(u64, PathBuf)> = std::fs::read_dir(&folder)
        .map(|list| list.filter_map(|e| e.ok()).filter_map(|e| Some((e.metadata().ok()?.len(), e.path()))).collect())
        .unwrap_or_default();
    // The smallest first: the marks matter, not the megabytes.
    files.retain(|(_, path)| path.file_name().and_then(|n| n.to_str()).is_some_and(|n| n.ends_with(".json") && n.contains('_')));
    files.sort();
    let mut batches = Vec::new();
    for (_, path) in files.into_iter().take(most) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let bad = |what: &str| DrillError::Missing(format!("sample {name}: {what}"));
        let mut bundle: Value = serde_json::from_slice(&std::fs::read(&path)?).map_err(|_| bad("not JSON"))?;
        let count = mark(&mut bundle, secrets);
        if count == 0 {
            return Err(bad("nothing in it could be marked"));
        }
        let bytes = serde_json::to_vec(&bundle).map_err(|_| bad("cannot be written"))?;
        let mut importer = Importer::new(Options::default());
        importer.add(&name, &bytes).map_err(|e| bad(e.code()))?;
        batches.push(importer.finish());
    }
    Ok(batches)
}

/// Marks names, contacts, and adds a note to some of every kind of resource. Gives how many marks.
fn mark(bundle: &mut Value, secrets: &Secrets) -> usize {
    let mut count = 0;
    let mut noted = std::collections::BTreeMap::<String, usize>::new();
    for entry in bundle.get_mut("entry").and_then(Value::as_array_mut).into_iter().flatten() {
        let Some(resource) = entry.get_mut("resource") else { continue };
        let kind = resource.get("resourceType").and_then(Value::as_str).unwrap_or_default().to_owned();
        if kind == "Patient" {
            for pointer in ["/name/0/family", "/telecom/0/value", "/address/0/line/0"] {
                if let Some(text) = resource.pointer_mut(pointer) {
                    *text = secrets.word(&format!("imported {pointer}")).into();
                    count += 1;
                }
            }
        }
        let seen = noted.entry(kind.clone()).or_default();
        *seen += 1;
        if *seen <= 2
            && kind != "Patient"
            && let Some(fields) = resource.as_object_mut()
        {
            fields.insert("note".into(), json!([{ "text": secrets.mark(&format!("imported {kind}")) }]));
            count += 1;
        }
    }
    count
}
