-- A storm on one endpoint or line delays no other: what waits is taken from each in equal parts, in the order
-- of these indexes. The third one finds the earlier messages of a sender.
DROP INDEX raw_bodies_by_received_at_id_new;
CREATE INDEX raw_bodies_by_endpoint_received_at_id_new ON raw_bodies (endpoint, received_at, id) WHERE state = 'new';
DROP INDEX inbox_by_due_at_id_new;
CREATE INDEX inbox_by_line_id_due_at_id_new ON inbox (line_id, due_at, id) WHERE state = 'new';
DROP INDEX inbox_by_sender_hash_id_new;
CREATE INDEX inbox_by_sender_hash_created_at_id_new ON inbox (sender_hash, created_at, id) WHERE state = 'new';
