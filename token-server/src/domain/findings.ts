/** Something that is not as it has to be. */
export interface Finding {
  /** As `entry 17` or `card 5f…`. */
  readonly where: string;
  /** One sentence. */
  readonly what: string;
}

/** Is told each finding, when it is made. */
export type Report = (finding: Finding) => void;
