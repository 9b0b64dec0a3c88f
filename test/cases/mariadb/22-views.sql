-- Views upon views against the alphabet, with a check option, with a function, with a reserved word, a view that names its database.
-- Public: drush#926
-- @admin
CREATE TABLE m (n int PRIMARY KEY, s varchar(10)); INSERT INTO m VALUES (1, 'a'), (2, 'b');
CREATE DEFINER='app'@'%' FUNCTION f(n int) RETURNS int DETERMINISTIC NO SQL RETURN n * 2;
CREATE DEFINER='app'@'%' VIEW z1 AS SELECT n, f(n) AS twice FROM `@DB@`.m WHERE n < 10 WITH LOCAL CHECK OPTION;
CREATE DEFINER='app'@'%' VIEW m2 AS SELECT * FROM z1 WHERE n > 0 WITH CASCADED CHECK OPTION;
CREATE ALGORITHM=TEMPTABLE DEFINER='app'@'%' VIEW a3 AS SELECT m2.n AS `select`, (SELECT count(*) FROM `@DB@`.m2) AS c, _utf8mb4'é' COLLATE utf8mb4_bin AS e FROM m2 UNION ALL SELECT n, 0, 'x' FROM `@DB@`.z1;
-- @probe SELECT * FROM a3 ORDER BY 1, 2
