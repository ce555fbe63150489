"""What requests and answers look like, one file per noun: the source of the OpenAPI document."""
