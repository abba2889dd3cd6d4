import { play } from './support/steps.mjs';

await play('across-units', [
  'refunds@1 of support, waiting', 'unit finance: missing', 'books/balance',
  'whose data owner has not consented', 'exit status 4', 'consented, record #',
  'in-force  finance  agreed',
]);
