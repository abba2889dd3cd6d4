import { play } from './support/steps.mjs';

await play('across-units', [
  'refunds@1 of support, waiting', 'unit finance: missing', 'books/balance',
  'whose data owner has not consented', 'exit status 4', 'consented, record #',
  'in-force  finance  agreed',
  'belongs to unit finance, which has not consented to entitlements[1] of the charter refunds@1',
  'remit identity consent refunds --version 1', 'exit status 1',
  'unit finance: other-lines', 'not agreed  entitlements[1]', 'consented, record #',
  'in-force  finance  agreed',
]);
