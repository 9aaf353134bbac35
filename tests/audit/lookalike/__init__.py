"""A project that does what downstreams of the compiler do, each thing once; never imported."""
