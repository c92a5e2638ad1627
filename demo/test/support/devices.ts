import type { Locator } from 'playwright-core';
import type { Person } from './person.ts';

/** Opens the panel of one's own devices, which are asked for anew; gives the panel. */
export async function devicesOf({ page }: Person): Promise<Locator> {
  const button = page.getByRole('button', { name: 'Your devices' }).first();
  if ((await button.getAttribute('aria-expanded')) === 'true') await button.click();
  await button.click();
  const panel = page.getByRole('complementary', { name: 'Your devices' });
  await panel.getByText('this device', { exact: true }).waitFor();
  return panel;
}

/** The question with this title, in front of the page. */
export function dialogOf({ page }: Person, title: string | RegExp): Locator {
  return page.getByRole('dialog', { name: title });
}

/** Makes a backup, from the panel of one's own devices. */
export async function backUp(person: Person, password: string): Promise<void> {
  const panel = await devicesOf(person);
  await panel.getByRole('button', { name: /^Back up/ }).click();
  const dialog = dialogOf(person, 'Back up your keys');
  await dialog.getByLabel('Your password').fill(password);
  await dialog.getByRole('button', { name: 'Back up' }).click();
  await panel.getByText('Keys backed up').waitFor();
}

/** The banner above the chat with these words. */
export function bannerOf({ page }: Person, words: string | RegExp): Locator {
  return page.locator('.banners .notice').filter({ hasText: words });
}
