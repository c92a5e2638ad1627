import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import type { ChosenFile } from './picture.ts';

/** Somebody at the page, and what they do there. Everything waits until it is seen to be done. */
export interface Person {
  readonly name: string;
  readonly page: Page;
  /** Fills in the form and submits it, without waiting for what comes of it. */
  submit(mode: 'sign in' | 'sign up', name: string, password: string): Promise<void>;
  signUp(): Promise<void>;
  signIn(): Promise<void>;
  createChannel(name: string): Promise<void>;
  /** Opens a channel when it is in the list. */
  open(channel: string): Promise<void>;
  addMember(identity: string): Promise<void>;
  send(text: string): Promise<void>;
  /** Puts files beside what is written; they are sent with it. */
  attach(...files: readonly ChosenFile[]): Promise<void>;
  /** Sends one file alone. */
  sendFile(file: ChosenFile): Promise<void>;
  /** The message with this text, or with this code in place of a text. */
  message(text: string | RegExp): Locator;
  /** Opens the details of the first message like this; gives the panel. */
  details(text: string): Promise<Locator>;
}

/** The password of everybody in these tests. */
export const PASSWORD = 'correct horse battery staple';

interface Opening {
  readonly name: string;
  readonly url: string;
  /** Where to note what a page should not have reported. */
  readonly complaints: string[];
}

/** Opens the page in a browser context of its own. */
export async function openPerson(
  browser: Browser,
  { name, url, complaints }: Opening,
  options: BrowserContextOptions = {},
): Promise<Person> {
  const context = await browser.newContext({ locale: 'en-GB', timezoneId: 'UTC', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  watch(page, name, complaints);
  await page.goto(url);
  return personAt(page, name);
}

function watch(page: Page, name: string, complaints: string[]): void {
  page.on('pageerror', (error) => complaints.push(`${name}: ${String(error)}`));
  page.on('console', (message) => {
    // What a test has refused or cut off is not the page's fault; Chromium reports it all the same.
    const isRefusal = /^Failed to load resource: (.* status of 4\d\d|net::ERR_FAILED)/.test(
      message.text(),
    );
    if (['error', 'warning'].includes(message.type()) && !isRefusal) {
      complaints.push(`${name}: ${message.text()}`);
    }
  });
}

function personAt(page: Page, name: string): Person {
  const signedIn = page.getByRole('button', { name: 'Sign out' });

  async function submit(mode: 'sign in' | 'sign up', as: string, password: string): Promise<void> {
    const isNew = mode === 'sign up';
    await page.getByText(isNew ? 'I am new' : 'Have an account').click();
    await page.getByLabel('Name', { exact: true }).fill(as);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: isNew ? 'Create account' : 'Sign in' }).click();
  }

  function message(text: string | RegExp): Locator {
    return page.getByRole('article').filter({ hasText: text });
  }

  async function attach(...files: readonly ChosenFile[]): Promise<void> {
    await page.getByLabel('Files to attach').setInputFiles([...files]);
    for (const file of files) {
      const attached = page.getByRole('list', { name: 'Attached files' });
      await attached.getByText(file.name, { exact: true }).waitFor();
    }
  }

  return {
    name,
    page,
    submit,
    message,
    async signUp() {
      await submit('sign up', name, PASSWORD);
      await signedIn.waitFor();
    },
    async signIn() {
      await submit('sign in', name, PASSWORD);
      await signedIn.waitFor();
    },
    async createChannel(channel) {
      await page.getByLabel('New channel').fill(channel);
      await page.getByRole('button', { name: 'Create channel' }).click();
      await page.getByRole('heading', { name: channel }).waitFor();
    },
    async open(channel) {
      await page.getByRole('button', { name: channel }).click();
      await page.getByRole('heading', { name: channel }).waitFor();
    },
    async addMember(identity) {
      await page.getByRole('button', { name: 'Members' }).click();
      await page.getByLabel('Add a member').fill(identity);
      await page.getByRole('button', { name: 'Add', exact: true }).click();
      await page.getByRole('listitem').filter({ hasText: identity }).waitFor();
      await page.getByRole('button', { name: 'Close' }).click();
    },
    async send(text) {
      await page.getByRole('textbox', { name: /Message to/ }).fill(text);
      await page.keyboard.press('Enter');
      await message(text).waitFor();
    },
    attach,
    async sendFile(file) {
      await attach(file);
      await page.getByRole('button', { name: 'Send', exact: true }).click();
      await message(file.name).waitFor();
    },
    async details(text) {
      await message(text)
        .first()
        .getByRole('button', { name: /Details of the message/ })
        .click();
      const panel = page.getByRole('complementary', { name: 'Message details' });
      await panel.waitFor();
      return panel;
    },
  };
}
