"""The stream shell: sockets, Kafka, archive, replay, simulator."""
