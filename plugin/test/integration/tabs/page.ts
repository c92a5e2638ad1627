/** The script of a page that is one tab of a device, with the key store that browsers have. */
import { openTab, type Tab, type TabOptions } from './tab.ts';

declare global {
  interface Window {
    /** Signs in. */
    openTab(options: TabOptions): Promise<void>;
    tab: Tab;
  }
}

window.openTab = async (options) => {
  window.tab = await openTab(options);
};
