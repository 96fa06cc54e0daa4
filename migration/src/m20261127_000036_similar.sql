-- Similar needs are found by their words' newest entries, word by word: with weights in the index nothing else is read.
DROP INDEX need_terms_find;
CREATE INDEX need_terms_find ON need_terms (community_id, term, need_id, weight, length);
