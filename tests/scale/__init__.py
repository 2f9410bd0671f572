"""How much mixc can be given: documents by the hundred million, a simulated cluster, the largest recipe."""
