//! Numbers that make sense, setting by setting.

use std::ops::RangeInclusive;

use super::{SettingsError, Written, wrong};

impl Written {
    pub(super) fn within_limits(&self) -> Result<(), SettingsError> {
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        let limits: [(&str, u64, RangeInclusive<u64>); 21] = [
            (
                "http.connections",
                count(self.http.connections),
                1..=100_000,
            ),
            ("http.header_seconds", self.http.header_seconds, 1..=300),
            ("http.body_seconds", self.http.body_seconds, 1..=300),
            ("http.answer_seconds", self.http.answer_seconds, 1..=300),
            ("http.request_seconds", self.http.request_seconds, 1..=300),
            // 3 MiB is what WhatsApp may send; less would refuse real webhooks for ever.
            (
                "receive.body_bytes",
                count(self.receive.body_bytes),
                3_145_728..=67_108_864,
            ),
            ("receive.queue", count(self.receive.queue), 1..=1_000_000),
            ("wire.connect_seconds", self.wire.connect_seconds, 1..=300),
            ("wire.read_seconds", self.wire.read_seconds, 1..=300),
            ("wire.total_seconds", self.wire.total_seconds, 1..=300),
            ("send.in_flight", count(self.send.in_flight), 1..=64),
            ("send.per_second", self.send.per_second, 1..=1000),
            ("send.pair_seconds", self.send.pair_seconds, 0..=3600),
            ("approve.undo_seconds", self.approve.undo_seconds, 0..=600),
            ("session.idle_minutes", self.session.idle_minutes, 1..=1440),
            (
                "session.absolute_hours",
                self.session.absolute_hours,
                1..=24,
            ),
            ("retention.raw_days", self.retention.raw_days, 1..=30),
            // Meta repeats a webhook for a week and signs no time.
            ("retention.seen_days", self.retention.seen_days, 8..=3650),
            ("retention.aside_days", self.retention.aside_days, 7..=365),
            (
                "retention.receipt_days",
                self.retention.receipt_days,
                8..=3650,
            ),
            (
                "retention.backup_days",
                self.retention.backup_days,
                0..=3650,
            ),
        ];
        for (setting, value, limit) in limits {
            if !limit.contains(&value) {
                let (least, most) = (limit.start(), limit.end());
                return Err(wrong(setting, format!("a number from {least} to {most}")));
            }
        }
        Ok(())
    }
}
