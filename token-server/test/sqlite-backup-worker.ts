/** Copies a live database, as an operator would: in a process of its own. */
import Database from 'better-sqlite3';
import { z } from 'zod';

const Arguments = z.tuple([z.string(), z.string(), z.enum(['vacuum', 'backup'])]);
const [source, target, way] = Arguments.parse(process.argv.slice(2));

const ALL_PAGES = 0x7fffffff;

const database = new Database(source, { timeout: 5000 });
if (way === 'vacuum') database.prepare('vacuum into ?').run(target);
// In one step: after each, it would begin again if somebody wrote in between.
else await database.backup(target, { progress: () => ALL_PAGES });
database.close();
