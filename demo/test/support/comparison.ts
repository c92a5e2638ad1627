import type { Locator } from 'playwright-core';
import type { Person } from './person.ts';

/** Opens the comparison with somebody from the members; gives the panel. */
export async function compare(person: Person, other: string): Promise<Locator> {
  await person.page.getByRole('button', { name: 'Members' }).click();
  await person.page.getByRole('button', { name: `Compare safety numbers with ${other}` }).click();
  const panel = person.page.getByRole('complementary', { name: 'Compare safety numbers' });
  await panel.getByRole('group', { name: 'Safety number' }).waitFor();
  return panel;
}

/** The groups of digits that a panel shows. */
export function digitsOf(panel: Locator): Promise<string[]> {
  return panel.getByRole('group', { name: 'Safety number' }).locator('span').allInnerTexts();
}

/** A picture of the code that a panel shows. */
export async function codeOf(panel: Locator): Promise<Buffer> {
  const code = panel.getByRole('img', { name: /as a code/ });
  await code.scrollIntoViewIfNeeded();
  return code.screenshot();
}

/** Gives a panel a picture of somebody's code. */
export async function choosePicture(panel: Locator, buffer: Buffer): Promise<void> {
  const file = { name: 'code.png', mimeType: 'image/png', buffer };
  await panel.getByLabel('Picture of their code').setInputFiles(file);
}
