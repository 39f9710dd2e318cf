"""An offer is of one queue of one centre, whatever queues elsewhere are called."""

from dataclasses import replace
from decimal import Decimal

from tests.paracloud.jobs.drawn import LIN, centre, price
from tests.paracloud.jobs.world import SCRIPT, START, queue

from paracloud.billing.pick import Customer
from paracloud.jobs.build import build
from paracloud.jobs.market import Stall, open_market
from paracloud.jobs.offers import most_at, offers, price_at

WHO = Customer(LIN, None)


def test_each_offer_is_at_the_price_of_its_own_queue_of_its_own_centre():
    places = [(f"c{at}", f"q{number}") for at in range(7) for number in range(5)]
    prices = {place: Decimal(1 + number) for number, place in enumerate(places)}
    stalls = [Stall(centre(at, "", 0), queue(name), (price(str(prices[at, name])),), None) for at, name in places]
    market, spec = open_market(stalls, [], START), build(SCRIPT, {}).spec
    found = offers(market, spec, WHO)
    assert [(one.centre, one.queue) for one in found] == places
    for one in (*found, *(replace(one, free_cores=0) for one in reversed(found))):
        assert price_at(market, spec, WHO, one).core_hour == prices[one.centre, one.queue]
        assert most_at(market, spec, WHO, one, spec.wall_limit).amount == one.most
        assert (market.at(one).centre.name, market.at(one).queue.name) == (one.centre, one.queue)
