"""The ingestion stage: a scraped page or code-set file in, `CodeRecord`s out. The only room that parses HTML or XML."""
