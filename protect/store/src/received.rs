//! Three questions of the server: when a directory statement arrived, which relation a confirmation means, where an attachment belongs.

use subrosa_model::{ChartId, Compartment, Hash32, MemberId, Timestamp};

use crate::plan::RelationRow;
use crate::sql::{Columns, bind, int, rows};
use crate::{Store, StoreError, view};

impl Store {
    /// When directory statement `n` was received: delays of orders count from then.
    ///
    /// # Errors
    /// `not-founded`, `unavailable`.
    pub async fn directory_received(&self, n: u64) -> Result<Option<Timestamp>, StoreError> {
        let practice = self.founded()?;
        let mut conn = self.shared.main.reader().await?;
        let found = rows(
            &mut conn,
            "SELECT j.at FROM directory_entry d JOIN journal j ON j.practice = d.practice AND j.seq = d.seq WHERE d.practice = $1 AND d.n = $2",
            bind![practice.as_bytes(), int(n)?],
        )
        .await?;
        found.first().map(|r| r.int(0).map(Timestamp)).transpose()
    }

    /// The relation with this hash that is not confirmed yet; none if there is no such relation, or somebody confirmed it.
    ///
    /// # Errors
    /// `not-founded`, `unavailable`.
    pub async fn relation_to_confirm(&self, hash: &Hash32, now: Timestamp) -> Result<Option<RelationRow>, StoreError> {
        let practice = self.founded()?;
        let mut conn = self.shared.main.reader().await?;
        let found = rows(
            &mut conn,
            "SELECT j.body, r.counts_from FROM relation r JOIN journal j ON j.practice = r.practice AND j.seq = r.seq WHERE r.practice = $1 AND (r.counts_from IS NULL OR r.counts_from > $2)",
            bind![practice.as_bytes(), now.0],
        )
        .await?;
        let waiting = found.iter().map(view::relation_row).collect::<Result<Vec<_>, _>>()?;
        Ok(waiting.into_iter().find(|r| r.hash == *hash))
    }

    /// Compartment and author of every version in a chart that names this attachment.
    ///
    /// # Errors
    /// `not-founded`, `unavailable`, `damaged`.
    pub async fn attachment_places(&self, hash: &Hash32, chart: &ChartId) -> Result<Vec<(Compartment, MemberId)>, StoreError> {
        let practice = self.founded()?;
        let mut conn = self.shared.main.reader().await?;
        let found = rows(
            &mut conn,
            "SELECT e.compartment, e.author FROM attachment a JOIN entry e ON e.practice = a.practice AND e.hash = a.version WHERE a.practice = $1 AND a.hash = $2 AND e.chart = $3",
            bind![practice.as_bytes(), hash.as_bytes(), chart.as_bytes()],
        )
        .await?;
        found
            .iter()
            .map(|r| {
                let compartment = Compartment::from_number(r.int(0)?).ok_or_else(|| StoreError::damaged("an entry's compartment"))?;
                Ok((compartment, r.id(1, MemberId::from_slice)?))
            })
            .collect()
    }
}
