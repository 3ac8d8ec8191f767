//! models.parquet: one line a model.

use super::Source;
use super::table;
use crate::base::Result;
use crate::measure::Measures;
use std::path::Path;

pub(super) fn write(path: &Path, source: &Source<'_, Measures>) -> Result<()> {
    let rows = &source.content.models;
    table::write(path, rows.len(), |range, c| {
        let rows = &rows[range];
        c.name("model", rows.iter().map(|r| r.model), &source.models)?;
        c.u64("n", rows.iter().map(|r| r.n));
        c.u64("queries", rows.iter().map(|r| r.queries));
        c.u64("common_queries", rows.iter().map(|r| r.common_queries));
        c.f64_or_null("intra_mean", rows.iter().map(|r| r.intra_mean));
        c.f64_or_null("intra_adjusted", rows.iter().map(|r| r.intra_adjusted));
        c.f64_or_null("intra_ci_low", rows.iter().map(|r| r.intra_ci.map(|i| i.low)));
        c.f64_or_null("intra_ci_high", rows.iter().map(|r| r.intra_ci.map(|i| i.high)));
        c.f64_or_null("share_ge_0_8", rows.iter().map(|r| r.share_ge_0_8));
        c.bins("bins", rows.iter().map(|r| r.bins))?;
        c.f64_or_null("bins_underflow", rows.iter().map(|r| r.bins_underflow));
        c.bins("paper_bins", rows.iter().map(|r| r.paper_bins))?;
        c.f64_or_null("floor", rows.iter().map(|r| r.floor));
        c.bool("answers_regardless", rows.iter().map(|r| r.answers_regardless));
        c.f64_or_null("vendi_1", rows.iter().map(|r| r.vendi_1));
        c.f64_or_null("vendi_2", rows.iter().map(|r| r.vendi_2));
        c.f64_or_null("distinct", rows.iter().map(|r| r.distinct));
        c.f64_or_null("distinct_adjusted", rows.iter().map(|r| r.distinct_adjusted));
        c.f64_or_null("distinct_ci_low", rows.iter().map(|r| r.distinct_ci.map(|i| i.low)));
        c.f64_or_null("distinct_ci_high", rows.iter().map(|r| r.distinct_ci.map(|i| i.high)));
        c.f64_or_null("intra_joint_low", rows.iter().map(|r| r.intra_joint.map(|i| i.low)));
        c.f64_or_null("intra_joint_high", rows.iter().map(|r| r.intra_joint.map(|i| i.high)));
        c.u32_or_null("intra_next", rows.iter().map(|r| r.intra_next));
        c.f64_or_null("with_others", rows.iter().map(|r| r.with_others));
        c.f64_or_null("with_others_joint_low", rows.iter().map(|r| r.with_others_joint.map(|i| i.low)));
        c.f64_or_null("with_others_joint_high", rows.iter().map(|r| r.with_others_joint.map(|i| i.high)));
        c.u32_or_null("with_others_next", rows.iter().map(|r| r.with_others_next));
        c.name_or_null("most_like", rows.iter().map(|r| r.most_like.map(|m| m.model)), &source.models)?;
        c.f64_or_null("most_like_mean", rows.iter().map(|r| r.most_like.map(|m| m.mean)));
        c.u32_or_null("most_like_next", rows.iter().map(|r| r.most_like.and_then(|m| m.next)));
        c.f64_or_null("empty_share", rows.iter().map(|r| r.empty_share));
        c.f64_or_null("refusal_share", rows.iter().map(|r| r.refusal_share));
        c.f64_or_null("verbatim_share", rows.iter().map(|r| r.verbatim_share));
        Ok(())
    })
}
