/**
 * What is sent where LinkedIn leaves a choice. README.md gives the reasons. Annotated as wider types, so that the other
 * branch stays checked by the compiler and by tests.
 */
export interface IdentityChoices {
  /** How an IPv4 address is sent; `undefined`: not at all. */
  readonly ip: 'PLAINTEXT_IP_ADDRESS' | 'SHA256_IP_ADDRESS' | undefined;
  /** `hashed` needs version 202609 and a normalisation that is only assumed. */
  readonly names: 'plain' | 'hashed';
}

export const IDENTITY_CHOICES: IdentityChoices = { ip: 'PLAINTEXT_IP_ADDRESS', names: 'plain' };
