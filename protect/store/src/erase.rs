//! Erasure: recorded first, then every key of the chart destroyed and the store key renewed.

use subrosa_crypto::sha256;
use subrosa_model::{ChartId, OrderId, Timestamp};
use subrosa_protocol::access::{AccessEvent, What};

use crate::plan::{Done, Needs, Plan, Receipt, Write};
use crate::sql::{CHUNK, Columns, Value, bind, listed, rows};
use crate::{Store, StoreError, crash};

/// What an erasure did here.
#[derive(Debug, Clone)]
pub struct ErasureDone {
    /// The record; none when the chart had been recorded as erased before.
    pub receipt: Option<Receipt>,
    /// How many rows of the key store were destroyed now.
    pub rows_destroyed: u64,
}

impl Store {
    /// Erases a chart: records it (journal and ledger), then destroys every wrap and custody half and renews the store key. That the order stands, has waited and nothing
    /// holds it is for the caller to have checked. Repeating it, or opening the store again after it was cut short, finishes it.
    ///
    /// # Errors
    /// `unknown-chart`, `store-key`, `disk-full`, `unavailable`.
    pub async fn erase(&self, chart: ChartId, order: OrderId, at: Timestamp) -> Result<ErasureDone, StoreError> {
        let practice = self.founded()?;
        let state = self.chart(&chart).await?.ok_or(StoreError::UnknownChart)?;
        let mut receipt = None;
        if state.erased.is_none() {
            let event = AccessEvent {
                practice,
                what: What::Erased,
                member: None,
                device: None,
                session: None,
                chart: Some(chart),
                compartments: Vec::new(),
                at,
                request: sha256(&[b"subrosa/1/order", order.as_bytes()]),
                related: false,
            };
            let needs = Needs { charts: vec![chart], ..Needs::default() };
            let done = self.commit(at, needs, move |_| Plan::accept(()).write(Write::Erased { chart, order }).event(event.clone())).await;
            receipt = match done {
                Ok(Done::New { receipt, .. } | Done::Repeated { receipt }) => Some(receipt),
                // Somebody else recorded it in the meantime.
                Err(StoreError::Erased) => None,
                Err(error) => return Err(error),
            };
        }
        crash::point("erase-recorded");
        let rows_destroyed = self.destroy_keys(&[chart]).await?;
        Ok(ErasureDone { receipt, rows_destroyed })
    }

    async fn destroy_keys(&self, charts: &[ChartId]) -> Result<u64, StoreError> {
        let practice = self.founded()?;
        let mut left = 0;
        for chart in charts {
            left += self.shared.keys.count_of(&practice, chart).await?;
        }
        if left == 0 {
            return Ok(0);
        }
        self.shared.keys.destroy(&practice, charts).await
    }

    /// Destroys what keys are left of charts that were recorded as erased: after a crash, or a restore of an older key store.
    pub(crate) async fn finish_erasures(&self) -> Result<u64, StoreError> {
        let Some(practice) = self.practice() else { return Ok(0) };
        let erased = rows(&mut *self.shared.main.reader().await?, "SELECT chart FROM chart WHERE practice = $1 AND erased IS NOT NULL", bind![practice.as_bytes()]).await?;
        let erased = erased.iter().map(|r| r.id(0, ChartId::from_slice)).collect::<Result<Vec<_>, _>>()?;
        let mut left = Vec::new();
        for chunk in erased.chunks(CHUNK) {
            let mut values = bind![practice.as_bytes()];
            values.extend(chunk.iter().map(|c| Value::from(c.as_bytes())));
            let sql = listed("SELECT DISTINCT chart FROM key_row WHERE practice = $1 AND chart IN ({list})", 1, chunk.len());
            for found in rows(&mut *self.shared.keys.db.reader().await?, sql, values).await? {
                left.push(found.id(0, ChartId::from_slice)?);
            }
        }
        if left.is_empty() {
            return Ok(0);
        }
        tracing::warn!(charts = left.len(), "finishing erasures that were cut short");
        self.destroy_keys(&left).await
    }
}
