"""What the experiments on new vocabularies show: tables and a page, from the files of their runs."""
