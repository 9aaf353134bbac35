"""Which inputs compile_fx takes inside Dynamo's context, hidden or not."""
