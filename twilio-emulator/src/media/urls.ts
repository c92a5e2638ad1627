/**
 * Media are the only thing that clients ask for over HTTP, so these addresses are real ones. Where
 * they are is in the configuration a client is told at its start; it has no option for it.
 */

/** What the paths of all media begin with. */
export function mediaRoot(serviceSid: string): string {
  return `/v1/Services/${serviceSid}/`;
}

/** Where files are uploaded; the record of each is below it. */
export function mediaServiceUrl(origin: string, serviceSid: string): string {
  return `${origin}${mediaRoot(serviceSid)}Media`;
}

/** Where the records of several files can be had at once. */
export function mediaSetUrl(origin: string, serviceSid: string): string {
  return `${origin}${mediaRoot(serviceSid)}MediaSet`;
}
