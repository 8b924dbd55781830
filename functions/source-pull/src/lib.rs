//! Event: pulls from their queue, each a step of reading what a vendor counts.
//!
//! How a pull goes on stands in `shared::pulling`, how a batch is worked off in `shared::queue::batch`; `main` brings the two
//! together.

#[cfg(test)]
mod tests {
    use shared::queue::PullMessage;
    use shared::queue::batch::Batch;
    use shared::sources::Vendor;

    const SAMPLE: &str = include_str!("../../../events/source-pull/sqs-fifo.json");

    #[test]
    fn the_sample_batch_is_understood() {
        let batch: Batch = serde_json::from_str(SAMPLE).unwrap();
        let pull: PullMessage = serde_json::from_str(&batch.records[0].body).unwrap();
        assert_eq!((pull.partner.as_str(), pull.vendor), ("msp-1", Vendor::Huntress));
        for name in [pull.lane(), pull.deduplication_id()] {
            assert!(SAMPLE.contains(&name), "{name}");
        }
    }
}
