import type { SandboxCore } from '../core/types.ts';

/** Every switch of the management routes, read once per request; README.md lists the reasons. */
export interface ManagementSettings {
  readonly strictEncoding: boolean;
  readonly rejectUnknownParams: boolean;
  readonly maxUrlLength: number;
  readonly unknownTotal: boolean;
  readonly maxPageSize: number;
  readonly pageSizeClamp: number;
  readonly pagingLinks: boolean;
  readonly searchPaging: 'token' | 'start';
  readonly createAnswersBody: boolean;
  readonly defaultAutoAssociation: string;
  readonly immutableRuleFields: 'refuse' | 'ignore';
  readonly entityKeys: 'encoded' | 'any';
  readonly resultKeys: 'encoded' | 'raw';
  readonly deleteMissingStatus: number;
  readonly pivotNamespace: string;
  readonly pivotCost: 'zero' | 'values' | 'refused';
  readonly retention: 'silent' | 'refused';
}

export function readSettings(core: SandboxCore): ManagementSettings {
  return {
    strictEncoding: core.switchOf<boolean>('linkedin.strictEncoding', true),
    rejectUnknownParams: core.switchOf<boolean>('linkedin.rejectUnknownParams', true),
    maxUrlLength: core.switchOf<number>('linkedin.maxUrlLength', 8192),
    unknownTotal: core.switchOf<boolean>('linkedin.unknownTotal', true),
    maxPageSize: core.switchOf<number>('linkedin.maxPageSize', 100),
    pageSizeClamp: core.switchOf<number>('linkedin.pageSizeClamp', 0),
    pagingLinks: core.switchOf<boolean>('linkedin.pagingLinks', true),
    searchPaging: core.switchOf<'token' | 'start'>('linkedin.searchPaging', 'token'),
    createAnswersBody: core.switchOf<boolean>('linkedin.createAnswersBody', true),
    defaultAutoAssociation: core.switchOf<string>('linkedin.defaultAutoAssociation', 'NONE'),
    immutableRuleFields: core.switchOf<'refuse' | 'ignore'>('linkedin.immutableRuleFields', 'refuse'),
    entityKeys: core.switchOf<'encoded' | 'any'>('linkedin.entityKeys', 'encoded'),
    resultKeys: core.switchOf<'encoded' | 'raw'>('linkedin.resultKeys', 'encoded'),
    deleteMissingStatus: core.switchOf<number>('linkedin.deleteMissingStatus', 404),
    pivotNamespace: core.switchOf<string>('linkedin.pivotNamespace', 'lla:llaPartnerConversion'),
    pivotCost: core.switchOf<'zero' | 'values' | 'refused'>('linkedin.pivotCost', 'zero'),
    retention: core.switchOf<'silent' | 'refused'>('linkedin.retention', 'silent'),
  };
}
