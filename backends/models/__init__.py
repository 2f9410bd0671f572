"""What all backends that run models share: the files of a model, safely found and named by their content."""
