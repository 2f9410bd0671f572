"""MuRating (arXiv 2507.01785): one rater of documents for every language, trained on votes of others."""
