"""What mixc is put together from: a bill of materials, licences, known vulnerabilities, and no network."""
