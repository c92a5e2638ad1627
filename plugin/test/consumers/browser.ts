/** A Chromium and the servers behind it, for the tests of one file. */
import { chromium, type Browser } from 'playwright-core';
import { launchOptions } from '../../../chromium.ts';
import { startWorld, type Person, type World } from '../integration/world.ts';
import { visit, type Visit } from './site.ts';

export interface Stage {
  readonly world: World;
  /** Somebody outside of the browser. */
  readonly bob: Person;
  /** Opens a folder's page in a browser of its own. */
  visit(folder: string): Promise<Visit>;
  close(): Promise<void>;
}

export async function openStage(): Promise<Stage> {
  const [world, browser]: [World, Browser] = await Promise.all([
    startWorld(),
    launchOptions().then((options) => chromium.launch(options)),
  ]);
  return {
    world,
    bob: await world.person('bob'),
    visit: (folder) => visit(browser, world, folder),
    async close() {
      await browser.close();
      await world.close();
    },
  };
}
