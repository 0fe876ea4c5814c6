-- why: a campaign may be for people of one city, wherever they pay: the operator says where somebody lives.
-- locks: a short one on marketing_traits; the column has a default, and no row is written.
-- when: pre

ALTER TABLE marketing_traits ADD COLUMN home_city text NOT NULL DEFAULT '';
