import { screen, waitFor, within } from '@testing-library/react';
import { expect, test } from 'vitest';
import { renderApp } from '../../../dev/render-app';

test('a rule is built, tried as a draft, saved, deleted and brought back', async () => {
  const { user, sent } = renderApp('/policies');
  expect(await screen.findByText('No rules of your own yet')).toBeTruthy();
  expect(screen.getByText('Lets through all reads.')).toBeTruthy();
  await user.click(screen.getByRole('button', { name: 'Add a rule' }));
  expect(screen.getByText(/Fill in what is missing/)).toBeTruthy();
  await user.type(screen.getByLabelText('Name'), 'No Restarts');
  await user.selectOptions(screen.getByLabelText('What'), 'tool');
  const [which] = screen.getAllByLabelText('Tool');
  if (!which) throw new Error('no choice of a tool');
  await user.selectOptions(which, 'k8s__restart_pod');
  await user.click(screen.getByRole('button', { name: 'Add a condition' }));
  await user.selectOptions(screen.getByLabelText('How'), 'is_not');
  await user.type(screen.getByLabelText('Value'), 'staging');
  expect(screen.getByText(/context.arguments.namespace != "staging"/)).toBeTruthy();
  await user.type(screen.getByLabelText('namespace'), 'prod');
  await user.click(screen.getByRole('button', { name: 'What would happen?' }));
  expect(await screen.findByText('It would not happen')).toBeTruthy();
  const check = sent.find(({ path }) => path.endsWith('/check'))?.body;
  expect(check).toMatchObject({ tool: 'k8s__restart_pod', arguments: { namespace: 'prod' }, draft: { name: 'no-restarts' } });
  await user.click(screen.getByRole('button', { name: 'Save the rule' }));
  expect(await screen.findByRole('heading', { name: 'no-restarts' })).toBeTruthy();
  await user.click(screen.getByRole('button', { name: 'Delete no-restarts' }));
  expect(await screen.findByText('no-restarts was deleted.')).toBeTruthy();
  await waitFor(() => expect(screen.queryByRole('heading', { name: 'no-restarts' })).toBeNull());
  await user.click(screen.getByRole('button', { name: 'Undo' }));
  expect(await screen.findByRole('heading', { name: 'no-restarts' })).toBeTruthy();
  const puts = sent.filter(({ method }) => method === 'PUT');
  expect(puts[1]?.body).toEqual(puts[0]?.body);
});

test('rules with faults say where, and stay to be mended', async () => {
  const { user } = renderApp('/policies');
  await user.click(await screen.findByRole('button', { name: 'Write Cedar' }));
  await user.type(screen.getByLabelText('Name'), 'broken');
  await user.type(screen.getByLabelText('Rules in Cedar'), 'forbid(');
  await user.click(screen.getByRole('button', { name: 'Save the rule' }));
  expect(within(await screen.findByRole('alert')).getByText(/line 1, column 7/)).toBeTruthy();
  expect(screen.getByDisplayValue('forbid(')).toBeTruthy();
});
