//! Event: alerts from their queue, each on its way to a ticket.
//!
//! What becomes of an alert stands in `shared::desk`, how a batch is worked off in `shared::queue::batch`; `main` brings the two
//! together.

#[cfg(test)]
mod tests {
    use shared::queue::AlertMessage;
    use shared::queue::batch::Batch;

    #[test]
    fn the_sample_batch_is_understood() {
        let batch: Batch = serde_json::from_str(include_str!("../../../events/tickets/sqs-fifo.json")).unwrap();
        let alert: AlertMessage = serde_json::from_str(&batch.records[0].body).unwrap();
        assert_eq!((alert.partner.as_str(), alert.key.as_str()), ("msp-1", "edr-0f2c/host-17"));
        assert!(include_str!("../../../events/tickets/sqs-fifo.json").contains(&alert.deduplication_id()));
    }
}
