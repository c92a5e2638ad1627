/** Where a store is. */
export type StoreLocation =
  | { readonly kind: 'sqlite'; readonly path: string }
  | { readonly kind: 'postgres'; readonly url: string };

/** The URLs of stores, for whoever wrote something else. */
export const LOCATION_FORMS =
  'expected sqlite:<path>, sqlite::memory: or postgres://<user>:<password>@<host>:<port>/<database>';

/** Reads the URL of a store. Null when it is none. */
export function parseLocation(url: string): StoreLocation | null {
  const [, path] = /^sqlite:((?!\/\/).+)$/.exec(url) ?? [];
  if (path !== undefined) return { kind: 'sqlite', path };
  return isPostgresUrl(url) ? { kind: 'postgres', url } : null;
}

/**
 * Stricter than `pg` is: a password with a `/`, `?` or `#` in it that was not escaped would become
 * part of the port or of the database's name, and appear in errors.
 */
function isPostgresUrl(text: string): boolean {
  if (!/^postgres(ql)?:\/\//.test(text) || !URL.canParse(text)) return false;
  const { username, password, pathname, search, hash } = new URL(text);
  return (
    /^\/[^/@]+$/.test(pathname) &&
    !search.includes('@') &&
    hash === '' &&
    [username, password, pathname].every(isDecodable)
  );
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
