"""The matrix on many machines: plan, jobs, memory, and what GitHub tells a step."""
