import { deviceKeys, type DeviceKeys } from '../../src/client/device-keys.ts';
import { random, type Person } from '../protocol/people.ts';

/** The keys of a device of this person, which sends under the first of these cards. */
export function ownKeys(...[current, ...others]: readonly [Person, ...Person[]]): DeviceKeys {
  const own = (person: Person) => ({ ...person, sessionKey: random(32) });
  return deviceKeys(own(current), others.map(own));
}
