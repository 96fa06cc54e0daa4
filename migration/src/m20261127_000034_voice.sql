-- A voice is a file with a length. One that was said in confidence is shown to nobody and sent nowhere.
ALTER TABLE files ADD COLUMN duration_ms bigint CONSTRAINT files_duration CHECK (duration_ms BETWEEN 1000 AND 60999);
ALTER TABLE files ADD COLUMN confidential boolean NOT NULL DEFAULT false
    CONSTRAINT files_confidential CHECK (NOT confidential OR (duration_ms IS NOT NULL AND NOT public AND trace_id IS NULL AND state = 'review'));

-- A need has one voice at most.
ALTER TABLE need_files ADD COLUMN voice boolean NOT NULL DEFAULT false;
CREATE UNIQUE INDEX need_files_one_voice ON need_files (need_id) WHERE voice;

ALTER TABLE case_files ADD COLUMN voice_file_id UUID CONSTRAINT case_files_voice REFERENCES files (id);
CREATE UNIQUE INDEX case_files_voice_used_once ON case_files (voice_file_id) WHERE voice_file_id IS NOT NULL;
