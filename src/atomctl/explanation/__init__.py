"""What happened to a run, put together for a person: from its record, its log, its neighbours and its documents."""
