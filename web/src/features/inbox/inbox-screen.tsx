/** The list of conversations, and the one that is open beside it. */
import { useParams } from 'react-router';
import { strings } from '../../strings';
import { useTitle } from '../../ui/screen';
import { Empty } from '../../ui/states';
import { RowKeys } from '../../ui/row-keys';
import { TicketScreen } from '../ticket/ticket-screen';
import { TicketList } from './ticket-list';

export function InboxScreen() {
  const { ticket } = useParams();
  return (
    <div className="flex h-full">
      <section
        aria-label={strings.inbox.title}
        className={`min-h-0 w-full shrink-0 flex-col border-line bg-canvas desk:flex desk:border-r desk:w-[19.5rem] roomy:w-[21.25rem] ${ticket ? 'hidden' : 'flex'}`}
      >
        <TicketList open={ticket} />
      </section>
      <div className={`min-h-0 min-w-0 flex-1 ${ticket ? 'block' : 'hidden desk:block'}`}>
        {ticket ? <TicketScreen key={ticket} id={ticket} /> : <NothingOpen />}
      </div>
    </div>
  );
}

function NothingOpen() {
  useTitle(strings.inbox.title);
  return (
    <Empty title={strings.inbox.pick} hint={strings.inbox.pickHint}>
      <RowKeys />
    </Empty>
  );
}
