"""What the record of runs, approvals and uploads tells: detectors, signals, questions to Prometheus."""
