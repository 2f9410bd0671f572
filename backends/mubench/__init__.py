"""MuBench (arXiv 2506.19468): which tasks judge a mixture, and what their results say of its languages."""
