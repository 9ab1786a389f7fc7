-- SPDX-License-Identifier: GPL-3.0-or-later
INSERT INTO grown (id, school, number) VALUES ('one', 'ash', 9000000000000000000);
