"""What the manual is generated with: pages from the code's own tables, equations as MathML."""
