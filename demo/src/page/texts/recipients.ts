const NAMES = new Intl.ListFormat('en');

/** Says who gets messages for the first time. */
export function recipientsAdded(identities: readonly string[]): string {
  const verb = identities.length === 1 ? 'gets' : 'get';
  return `${NAMES.format(identities)} ${verb} your messages from now on`;
}
